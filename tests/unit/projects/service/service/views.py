"""Views of REST framework. Without a word about it, it knows a user by the session."""

from django import forms
from django.contrib.auth import login
from django.contrib.auth.models import Group, User
from formtools.wizard.views import SessionWizardView
from ninja import NinjaAPI
from ninja.security import HttpBearer, django_auth
from rest_framework import authentication, generics, permissions, serializers, viewsets
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.response import Response
from rest_framework.views import APIView


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ("name",)


class RegisterSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("username",)

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)


class IsOwner(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return obj.owner == request.user


class IsOwnerOrReadOnly(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        if request.method in permissions.SAFE_METHODS:
            return True
        return obj.owner == request.user


class IsStaff(permissions.BasePermission):
    def has_permission(self, request, view):
        return bool(request.user and request.user.is_staff)


class IsStaffToo(IsStaff):
    def has_permission(self, request, view):
        return super().has_permission(request, view) and view.action != "x"


class HasKey(permissions.BasePermission):
    def has_permission(self, request, view):
        return request.headers.get("X-Key") == "key"


class Nobody(permissions.BasePermission):
    def has_permission(self, request, view):
        return False


class Base(APIView):
    def get(self, request):
        return Response()


class Changed(Base):
    def post(self, request):
        return Response()


class Members(Base):
    permission_classes = (permissions.IsAuthenticated,)


class Admins(Base):
    permission_classes = (permissions.IsAdminUser,)


class Staff(Base):
    permission_classes = (IsStaff,)


class StaffToo(Base):
    permission_classes = (IsStaffToo,)


class Both(Base):
    permission_classes = (HasKey & permissions.IsAuthenticated,)


class Either(Base):
    permission_classes = (HasKey | permissions.IsAuthenticated,)


class Keyed(Base):
    permission_classes = (HasKey,)


class Closed(Base):
    permission_classes = (Nobody,)


class ReadOnly(Base):
    permission_classes = (permissions.IsAuthenticatedOrReadOnly,)


class Writes(Changed):
    permission_classes = (permissions.IsAuthenticatedOrReadOnly,)


class WithToken(Base):
    permission_classes = (permissions.IsAuthenticated,)
    authentication_classes = (
        authentication.SessionAuthentication,
        authentication.TokenAuthentication,
    )


class WithPassword(Base):
    permission_classes = (permissions.IsAuthenticated,)
    authentication_classes = (authentication.BasicAuthentication,)


class Login(APIView):
    def post(self, request):
        login(request, None)
        return Response()


class Keeps(APIView):
    def post(self, request):
        request.session["x"] = 1
        return Response()


class Owned(generics.RetrieveUpdateAPIView):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    permission_classes = (IsOwnerOrReadOnly,)


class OwnedToRead(generics.RetrieveAPIView):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    permission_classes = (IsOwnerOrReadOnly,)


class OwnedByOne(generics.RetrieveAPIView):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    permission_classes = (IsOwner,)


class Register(generics.CreateAPIView):
    serializer_class = RegisterSerializer


class Models(viewsets.ModelViewSet):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    permission_classes = (permissions.DjangoModelPermissions,)


class AnonymousModels(viewsets.ModelViewSet):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    permission_classes = (permissions.DjangoModelPermissionsOrAnonReadOnly,)


class Various(viewsets.ModelViewSet):
    """Each route has its own methods, and some have their own permissions."""

    queryset = Group.objects.all()
    serializer_class = GroupSerializer

    @action(detail=False)
    def public(self, request):
        return Response()

    @action(detail=False, permission_classes=[permissions.IsAuthenticated])
    def private(self, request):
        return Response()

    @action(detail=False)
    def keeps(self, request):
        request.session["x"] = 1
        return Response()


class Chosen(viewsets.ModelViewSet):
    queryset = Group.objects.all()
    serializer_class = GroupSerializer

    def get_permissions(self):
        if self.action in ("list", "retrieve"):
            return [permissions.AllowAny()]
        return [permissions.IsAdminUser()]


@api_view()
def public(request):
    return Response()


@api_view()
@permission_classes([permissions.IsAuthenticated])
def members(request):
    return Response()


@api_view(["POST"])
def keeps(request):
    request.session["x"] = 1
    return Response()


class Wizard(SessionWizardView):
    form_list = (forms.Form,)


api = NinjaAPI()


class Bearer(HttpBearer):
    def authenticate(self, request, token):
        return token


@api.get("/public/ninja")
def ninja(request):
    return {}


@api.get("/public/ninja-with-token", auth=Bearer())
def ninja_with_token(request):
    return {}


@api.get("/private/ninja", auth=django_auth)
def ninja_private(request):
    return {}


@api.get("/private/ninja-by-itself")
def ninja_by_itself(request):
    if not request.user.is_staff:
        return api.create_response(request, {}, status=403)
    return {}


@api.get("/user/ninja", auth=[django_auth, Bearer()])
def ninja_either(request):
    return {}


@api.post("/session/ninja")
def ninja_keeps(request):
    request.session["x"] = 1


@api.post("/login/ninja")
def ninja_login(request):
    login(request, None)
