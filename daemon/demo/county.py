"""A county that does not exist: its towns, villages, schools, classes, children, and who is told about them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

DISTRICT = "青坪县"
CLASS_SIZE = 40
ENDPOINT = "edu"

TOWNS = {"t-1": "青坪镇", "t-2": "石门乡"}
VILLAGES = {
    "v-1": ("t-1", "柳湾村"),
    "v-2": ("t-1", "大槐村"),
    "v-3": ("t-1", "河口村"),
    "v-4": ("t-2", "石门村"),
    "v-5": ("t-2", "云岭村"),
    "v-6": ("t-2", "杏花村"),
}

_ROLE_NAMES = {
    "education_office": "县教育局控辍办",
    "education_director": "县教育局局长",
    "operator": "系统管理员",
    "town_government": "政府控辍专干",
    "town_head": "分管领导",
    "principal": "校长",
    "mentor": "帮扶责任人",
    "class_teacher": "班主任",
}
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高梁郑谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任"
_GIVEN = "子梓雨欣浩宇佳怡思晨博文嘉俊杰梦婷志强小明海燕春兰国庆雪梅天佑可心若萱一诺建军丽娟"


@dataclass(frozen=True, slots=True)
class School:
    """A school: how many classes it has in which grades, where its children live, and how its rolls come."""

    unit_id: str
    name: str
    town_id: str
    villages: tuple[str, ...]
    grades: tuple[str, ...]
    classes: int
    export: str
    """`plain`, or `utf-8` or `gb18030`: the columns and codes of its own software, in that encoding."""


SCHOOLS = (
    School("sch-1", "青坪镇中心小学", "t-1", ("v-1", "v-2", "v-3"), ("三", "四", "五", "六"), 16, "plain"),
    School("sch-2", "青坪镇初级中学", "t-1", ("v-1", "v-2", "v-3", "v-4"), ("七", "八", "九"), 14, "plain"),
    School("sch-3", "石门乡九年制学校", "t-2", ("v-4", "v-5", "v-6"), ("六", "七", "八", "九"), 12, "utf-8"),
    School("sch-4", "云岭村小学", "t-2", ("v-5", "v-6"), ("三", "四", "五", "六"), 8, "gb18030"),
)


@dataclass(frozen=True, slots=True)
class Child:
    """A child: its class, and the village it lives in (None: nobody wrote it down)."""

    student_id: str
    name: str
    class_id: str
    residence_id: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """A class of a school, with its children."""

    unit_id: str
    name: str
    grade: str
    school: School
    children: tuple[Child, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who may be told, under the addresses the receivers of the demonstration listen to."""

    role: str
    unit_id: str
    name: str
    phone: str = ""
    email: str = ""
    endpoint: str = ""


@dataclass(frozen=True)
class County:
    """Everybody there is; does not know what will happen to them."""

    rooms: tuple[Room, ...]
    contacts: tuple[Contact, ...]
    by_address: Mapping[str, Contact] = field(repr=False)

    @property
    def children(self) -> list[Child]:
        """All children, class by class."""
        return [child for room in self.rooms for child in room.children]

    def rooms_of(self, school: School) -> list[Room]:
        """The classes of one school."""
        return [room for room in self.rooms if room.school is school]


def invent(seed: int) -> County:
    """The county of a seed: the same one every time."""
    chance = random.Random(f"county {seed}")  # noqa: S311 - invents names, keeps no secret
    rooms = tuple(room for school in SCHOOLS for room in _rooms(school, chance))
    contacts = tuple(_contacts(rooms))
    addresses = {at: one for one in contacts for at in (one.phone, one.email, one.endpoint) if at}
    return County(rooms, contacts, addresses)


def unit_rows(county: County) -> Iterator[tuple[str, ...]]:
    """The unit tree, as the `units` feed has it."""
    yield "county", "county", "", DISTRICT
    for town, name in TOWNS.items():
        yield town, "town", "county", name
    for village, (town, name) in VILLAGES.items():
        yield village, "village", town, name
    for school in SCHOOLS:
        yield school.unit_id, "school", school.town_id, school.name
    for room in county.rooms:
        yield room.unit_id, "class", room.school.unit_id, room.name


def _rooms(school: School, chance: random.Random) -> Iterator[Room]:
    per_grade = -(-school.classes // len(school.grades))
    for n in range(school.classes):
        grade, number = school.grades[n // per_grade], n % per_grade + 1
        unit_id = f"{school.unit_id}-{n + 1:02}"
        children = tuple(_child(school, unit_id, place, chance) for place in range(CLASS_SIZE))
        yield Room(unit_id, f"{grade}年级{number}班", f"{grade}年级", school, children)


def _child(school: School, class_id: str, place: int, chance: random.Random) -> Child:
    name = chance.choice(_SURNAMES) + "".join(chance.sample(_GIVEN, chance.choice((1, 2, 2, 2))))
    home = chance.choice(school.villages) if chance.random() > 0.02 else None  # noqa: PLR2004 - a few are never written down
    return Child(f"{class_id}-{place + 1:02}", name, class_id, home)


def _contacts(rooms: tuple[Room, ...]) -> Iterator[Contact]:
    number = iter(range(1, 10_000))

    def phone() -> str:
        return f"+86138000{next(number):05}"

    def one(role: str, unit_id: str, place: str, **at: str) -> Contact:
        return Contact(role, unit_id, f"{place}{_ROLE_NAMES[role]}", **at)

    yield one("education_office", "county", "", email="office@example.org")
    yield one("education_office", "county", "平台", endpoint=ENDPOINT)
    yield one("education_director", "county", "", phone=phone())
    yield one("operator", "county", "", email="operator@example.org")
    for town, name in TOWNS.items():
        yield one("town_government", town, name, phone=phone(), email=f"{town}@example.org")
        yield one("town_head", town, name, phone=phone())
    for school in SCHOOLS:
        yield one("principal", school.unit_id, school.name, phone=phone())
        yield one("mentor", school.unit_id, school.name, phone=phone())
    for room in rooms:
        yield one("class_teacher", room.unit_id, room.school.name + room.name, phone=phone())
