"""Ages and names that words give away without being in any list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guard.prompt.normalise import HAN

if TYPE_CHECKING:
    from guard.prompt.normalise import Normalised

ADULT = 18

_UNITS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
)  # fmt: skip
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
_AGE = re.compile(
    rf"\b(?P<a>{_NUMBER})[\s-]{{0,2}}(?:years?[\s-]{{0,2}}olds?|y[\s/.]?o\b|yrs?[\s-]{{0,2}}old)"
    rf"|\bage[ds]?\s{{0,2}}(?:of\s|:)?\s?(?P<b>{_NUMBER})\b"
)
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九十")} | {"两": 2}
_HAN_AGE = re.compile(r"(?P<a>\d{1,3}|[一二三四五六七八九十两]{1,3})(?:周?岁|歲)")

# "Jane Roe", "Ludwig van Beethoven"; one capitalised word alone says little.
_NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-Þ][\w'’-]*[a-zß-öø-ÿ]\s+(?:(?:van|von|de|del|da|di|bin|al|el|la|le|der)\s+){0,2}"
    r"[A-ZÀ-ÖØ-Þ][\w'’-]*[a-zß-öø-ÿ]\b"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任"
    "姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严武戚莫孔向汤"
)
_HAN_NAME = re.compile(f"[{_SURNAMES}][{HAN}]{{0,2}}(?:先生|女士|小姐|总统|主席|总理|导演|教授)")


def states_minor_age(text: Normalised) -> bool:
    """Whether the words give an age below 18, in digits or words, English or Chinese."""
    ages = [_english(match["a"] or match["b"]) for match in _AGE.finditer(text.folded)]
    ages += [_chinese(match["a"]) for run in text.han for match in _HAN_AGE.finditer(run)]
    return any(age < ADULT for age in ages)


def may_name_person(prompt: str) -> bool:
    """Whether two capitalised words, or a Chinese surname with a title, look like somebody's name.

    A guess in both directions: it takes place names and titles for names, and misses lower-case names.
    """
    return bool(_NAME.search(prompt) or _HAN_NAME.search(prompt))


def _english(number: str) -> int:
    return int(number) if number.isdigit() else _UNITS.index(number) + 1


def _chinese(number: str) -> int:
    """十四 is 14, 四十 is 40, 四 is 4."""
    if number.isdigit():
        return int(number)
    tens, ten, units = number.rpartition("十")
    if not ten:
        return _HAN_DIGITS[number[-1]]
    return 10 * (_HAN_DIGITS[tens[-1]] if tens else 1) + (_HAN_DIGITS[units] if units else 0)
