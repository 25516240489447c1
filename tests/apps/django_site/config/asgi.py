import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_asgi_application()

from chat.consumers import Chat, Echo  # noqa: E402 - Django is set up first

application = ProtocolTypeRouter(
    {
        "http": django,
        "websocket": AllowedHostsOriginValidator(
            URLRouter([path("ws/echo/", Echo.as_asgi()), path("ws/chat/<str:room>/", Chat.as_asgi())])
        ),
    }
)
