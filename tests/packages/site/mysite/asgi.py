import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

django = get_asgi_application()


class Echo(AsyncWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("everybody", self.channel_name)
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        await self.channel_layer.group_send("everybody", {"type": "said", "text": text_data})

    async def said(self, event):
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter({"http": django, "websocket": URLRouter([path("echo", Echo.as_asgi())])})
