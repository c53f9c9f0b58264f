"""The forms that a phrase takes in English and in code: article, plural, snake_case, ClassName and so on."""

from __future__ import annotations

from collections.abc import Callable

VOWEL_SOUND = ("a", "e", "i", "o", "u", "html", "http", "sms", "sql", "xml", "svg", "ffmpeg", "8", "11", "18")
CONSONANT_SOUND = ("uni", "use", "usa", "usu", "eu", "one", "ura")


def with_article(phrase: str) -> str:
    """`an invoice`, `a unit`: the indefinite article goes by the first sound, not the first letter."""
    lower = phrase.lower()
    vowel = lower.startswith(VOWEL_SOUND) and not lower.startswith(CONSONANT_SOUND)
    return f"{'an' if vowel else 'a'} {phrase}"


def plural(phrase: str) -> str:
    """The regular plural of the last word: `patient visits`, `companies`, `batches`."""
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return phrase[:-1] + "ies"
    if phrase.endswith(("s", "x", "z", "ch", "sh")):
        return phrase + "es"
    return phrase + "s"


def snake(phrase: str) -> str:
    """`patient_visit`."""
    return phrase.lower().replace("-", "_").replace(" ", "_").replace("'", "")


def kebab(phrase: str) -> str:
    """`patient-visit`."""
    return snake(phrase).replace("_", "-")


def camel(phrase: str) -> str:
    """`PatientVisit`."""
    return "".join(word.capitalize() for word in snake(phrase).split("_"))


def capital(phrase: str) -> str:
    """`Patient visit`."""
    return phrase[:1].upper() + phrase[1:]


FORMS: dict[str, Callable[[str], str]] = {
    "": str,
    "a": with_article,
    "A": lambda phrase: capital(with_article(phrase)),
    "s": plural,
    "snake": snake,
    "snakes": lambda phrase: snake(plural(phrase)),
    "kebab": kebab,
    "kebabs": lambda phrase: kebab(plural(phrase)),
    "Class": camel,
    "Classes": lambda phrase: camel(plural(phrase)),
    "Cap": capital,
    "Caps": lambda phrase: capital(plural(phrase)),
    "UPPER": lambda phrase: snake(phrase).upper(),
}
"""What may follow the colon of a reference such as `${record:snakes}`."""
