from __future__ import annotations

from channels.generic.websocket import AsyncJsonWebsocketConsumer, WebsocketConsumer


class Echo(WebsocketConsumer):
    """A synchronous consumer: Channels runs it in a thread."""

    def connect(self):
        self.accept()
        self.send(text_data=self.scope["extensions"]["asgid"]["listener"])

    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=text_data, bytes_data=bytes_data)


class Chat(AsyncJsonWebsocketConsumer):
    """What one says, everybody in the room gets."""

    async def connect(self):
        self.group = f"room.{self.scope['url_route']['kwargs']['room']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send_json({"joined": self.group})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.group, {"type": "chat.message", "text": content["say"]})

    async def chat_message(self, event):
        await self.send_json({"said": event["text"]})
