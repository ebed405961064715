from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path

from news.sitemaps import SITEMAPS

urlpatterns = [
    path("admin/", admin.site.urls),
    path("contact/", include("contact.urls")),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("", include("news.urls")),
]

# Empty unless DEBUG is on: in production the web server serves uploads.
urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
