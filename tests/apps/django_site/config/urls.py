from chat import views
from django.urls import path

urlpatterns = [
    path("", views.index),
    path("whoami/", views.whoami),
    path("upload/", views.upload),
    path("slowly/", views.slowly),
    path("stream/", views.stream),
    path("source/", views.source),
    path("boom/", views.boom),
    path("announce/<str:room>/", views.announce),
]
