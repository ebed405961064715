"""A made-up newspaper, the same one every time: article n of a seed never changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from random import Random

from django.utils.text import slugify

from .sample_words import (
    AUTHORS,
    CORRECTIONS,
    LINKS,
    SENTENCES,
    STORIES,
    TAGS,
    WORDS,
)

# Slugs end in a number made of the seed and the article's own.
MAX_ARTICLES = 100_000

# Fixed, or no two loads would be alike. Article 0 is the newest.
LAST_EDITION = datetime(2026, 10, 31, 18, 0, tzinfo=timezone.utc)
BETWEEN_ARTICLES = timedelta(hours=13)

DRAFT_EVERY = 50
FEATURED_EVERY = 7

# A slot can begin a sentence, and its words are in lower case.
SENTENCE_START = re.compile(r"(?:^|[.?!] )“?[a-z]")


@dataclass(frozen=True)
class SampleArticle:
    slug: str
    headline: str
    standfirst: str
    body: str
    section: str
    author: int
    tags: list[str]
    featured: bool
    published_at: datetime | None
    correction: tuple[date, str] | None
    links: list[tuple[str, str]]


class Slots(dict[str, str]):
    """The words of one article: each is drawn when it is first asked for, and kept."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def __missing__(self, name: str) -> str:
        self[name] = self.random.choice(WORDS[name])
        return self[name]

    def fill(self, text: str) -> str:
        return SENTENCE_START.sub(lambda m: m[0].upper(), text.format_map(self))


def sample_articles(count: int, seed: int) -> Iterator[SampleArticle]:
    for number in range(count):
        yield sample_article(number, seed)


def sample_article(number: int, seed: int) -> SampleArticle:
    # One generator for each article: a larger count adds articles and changes none.
    random = Random(f"{seed}/{number}")  # noqa: S311
    slots = Slots(random)
    section, story = assignment(number, seed)
    headline, standfirst = (slots.fill(text) for text in story)
    published_at = LAST_EDITION - number * BETWEEN_ARTICLES
    published_at -= timedelta(minutes=random.randrange(12 * 60))
    is_draft = number % DRAFT_EVERY == DRAFT_EVERY - 1
    return SampleArticle(
        slug=f"{slugify(headline)}-{seed * MAX_ARTICLES + number}",
        headline=headline,
        standfirst=standfirst,
        body=body(random, slots),
        section=section,
        author=random.randrange(len(AUTHORS)),
        tags=tags(random, section),
        featured=number % FEATURED_EVERY == 0,
        published_at=None if is_draft else published_at,
        correction=(
            (published_at.date() + timedelta(days=1), random.choice(CORRECTIONS))
            if random.random() < 0.05
            else None
        ),
        links=random.sample(LINKS, random.randint(1, 3)) if random.random() < 0.25 else [],
    )


def assignment(number: int, seed: int) -> tuple[str, tuple[str, str]]:
    """The section and the story of an article: each story has its turn before one comes again."""
    stories = [(section, story) for section in STORIES for story in STORIES[section]]
    turn, place = divmod(number, len(stories))
    Random(f"{seed}/turn {turn}").shuffle(stories)  # noqa: S311
    return stories[place]


def body(random: Random, slots: Slots) -> str:
    sentences = [slots.fill(text) for text in random.sample(SENTENCES, random.randint(20, 30))]
    paragraphs = []
    while sentences:
        size = random.randint(2, 5)
        paragraphs.append(" ".join(sentences[:size]))
        del sentences[:size]
    return "\n\n".join(paragraphs)


def tags(random: Random, section: str) -> list[str]:
    names = random.sample(TAGS[section], random.randint(1, 3))
    # Now and then a story belongs elsewhere too.
    if random.random() < 0.3:
        other = random.choice([slug for slug in TAGS if slug != section])
        names.append(random.choice(TAGS[other]))
    return names
