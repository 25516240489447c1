from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse


def index(request):
    return HttpResponse(
        f"hello from Django, {request.GET.get('name', 'nobody')}\n", content_type="text/plain"
    )


def whoami(request):
    return JsonResponse(
        {
            "listener": request.scope["extensions"]["asgid"]["listener"],
            "thread": threading.current_thread() is not threading.main_thread(),
            "url": request.build_absolute_uri(),
            "script_name": request.META["SCRIPT_NAME"],
            "remote": request.META.get("REMOTE_ADDR"),
            "forwarded_for": request.META.get("HTTP_X_FORWARDED_FOR"),
        }
    )


def upload(request):
    file = request.FILES["file"]
    return JsonResponse({"size": file.size, "sha256": hashlib.sha256(file.read()).hexdigest()})


async def slowly(request):
    await asyncio.sleep(0.01)
    return HttpResponse("at last\n")


async def stream(request):
    async def lines():
        for number in range(5):
            await asyncio.sleep(0)
            yield f"line {number}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


def source(request):
    return FileResponse(Path(__file__).open("rb"))


def boom(request):
    raise RuntimeError("raised on purpose in a view")


def announce(request, room):
    """Tell everybody in a room, from a view that runs in a thread."""
    message = {"type": "chat.message", "text": request.POST["text"]}
    async_to_sync(get_channel_layer().group_send)(f"room.{room}", message)
    return HttpResponse(status=204)
