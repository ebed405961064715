from __future__ import annotations

from django.contrib.auth import get_user_model
from django.test import Client, TestCase
from django.urls import reverse

from .models import Letter

LETTER = {
    "name": "Walter",
    "email": "walter@example.com",
    "subject": "The bridge",
    "text": "It is crooked.",
}


class LetterTests(TestCase):
    url = "/contact/"

    def test_letter_is_kept_and_the_reader_thanked(self) -> None:
        response = self.client.post(self.url, LETTER, follow=True)
        self.assertRedirects(response, "/")
        self.assertContains(response, "Thank you, Walter.")
        letter = Letter.objects.get()
        self.assertEqual(str(letter), "The bridge (Walter)")
        self.assertFalse(letter.answered)
        self.assertNotContains(self.client.get("/"), "Thank you")

    def test_incomplete_letter_is_refused(self) -> None:
        response = self.client.post(self.url, {**LETTER, "email": "walter"})
        self.assertContains(response, "Enter a valid email address.")
        self.assertFalse(Letter.objects.exists())

    def test_letter_needs_the_csrf_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        self.assertEqual(client.post(self.url, LETTER).status_code, 403)
        client.get(self.url)
        token = client.cookies["csrftoken"].value
        response = client.post(self.url, {**LETTER, "csrfmiddlewaretoken": token})
        self.assertRedirects(response, "/", fetch_redirect_response=False)

    def test_form_sets_the_csrf_cookie_and_no_other(self) -> None:
        self.assertEqual(set(self.client.get(self.url).cookies), {"csrftoken"})

    def test_form_knows_who_is_signed_in(self) -> None:
        self.client.force_login(
            get_user_model().objects.create_user("ada", "ada@example.com", first_name="Ada")
        )
        self.assertContains(self.client.get(self.url), 'value="ada@example.com"')


class LetterAdminTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(get_user_model().objects.create_superuser("editor"))
        self.letter = Letter.objects.create(**LETTER)

    def test_letters_are_marked_as_answered(self) -> None:
        url = reverse("admin:contact_letter_changelist")
        response = self.client.post(
            url, {"action": "mark_answered", "_selected_action": [self.letter.pk]}, follow=True
        )
        self.assertContains(response, "Marked as answered: 1.")
        self.letter.refresh_from_db()
        self.assertTrue(self.letter.answered)

    def test_letters_are_read_not_written(self) -> None:
        change = reverse("admin:contact_letter_change", args=[self.letter.pk])
        self.assertContains(self.client.get(change), "It is crooked.")
        self.assertNotContains(self.client.get(change), "<textarea")
        self.assertEqual(self.client.get("/admin/contact/letter/add/").status_code, 403)
