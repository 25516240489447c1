import os

SECRET_KEY = "for a test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = ["channels"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{os.environ['STATE_DIRECTORY']}/db.sqlite3"}
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True
