from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.projects import VaultShare, person_holder

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.office import Office
    from tests.integration.platform.conftest import SignedIn

ROLES = ["owner", "member", "read_only"]


class Team:
    """A project, and one of each role with the name of the role."""

    def __init__(self, project_id: str, people: dict[str, httpx2.AsyncClient]) -> None:
        self.project_id = project_id
        self.people = people
        self.path = f"/api/v1/projects/{project_id}/members"
        self.ids: dict[str, str] = {}

    async def roles(self) -> dict[str, str]:
        answer = await self.people["owner"].get(self.path)
        assert answer.json()["count"] == len(answer.json()["data"])
        return {each["email"].partition("@")[0]: each["role"] for each in answer.json()["data"]}

    async def add(self, name: str, role: str) -> httpx2.Response:
        body = {"email": f"{name}@example.com", "role": role}
        return await self.people["owner"].post(self.path, json=body)


@pytest.fixture
async def team(signed_in: SignedIn) -> Team:
    people = {name: await signed_in(f"{name}@example.com") for name in (*ROLES, "stranger")}
    made = await people["owner"].post("/api/v1/projects/", json={"name": "web"})
    team = Team(made.json()["id"], people)
    for role in ROLES[1:]:
        assert (await team.add(role, role)).status_code == 201
    for name, client in people.items():
        team.ids[name] = (await client.get("/api/v1/accounts/me")).json()["id"]
    return team


async def test_whoever_makes_a_project_owns_it_and_lets_others_in(team: Team) -> None:
    answer = await team.people["read_only"].get(team.path)

    assert answer.status_code == 200
    assert await team.roles() == {role: role for role in ROLES}
    first = answer.json()["data"][0]
    assert set(first) == {"person_id", "email", "role", "account_public_key", "created_at"}
    assert first["account_public_key"]


@pytest.mark.parametrize("name", ["member", "read_only", "stranger"])
async def test_only_owners_say_who_belongs(team: Team, name: str) -> None:
    client, owner = team.people[name], f"{team.path}/{team.ids['owner']}"
    body = {"email": "stranger@example.com", "role": "read_only"}

    answers = [
        await client.post(team.path, json=body),
        await client.patch(owner, json={"role": "member"}),
        await client.delete(owner),
        await client.patch(f"{team.path}/{team.ids['member']}", json={"role": "owner"}),
    ]

    expected = 404 if name == "stranger" else 403
    assert [answer.status_code for answer in answers] == [expected] * 4
    assert await team.roles() == {role: role for role in ROLES}


async def test_a_project_of_others_is_answered_like_one_that_does_not_exist(team: Team) -> None:
    client = team.people["stranger"]

    others = await client.get(team.path)
    nobodys = await client.get("/api/v1/projects/00000000-0000-4000-8000-000000000000/members")

    assert others.status_code == nobodys.status_code == 404
    assert others.json() == nobodys.json()


async def test_a_role_takes_effect_at_once(team: Team) -> None:
    member = f"{team.path}/{team.ids['member']}"
    rename = {"name": "renamed"}
    project = f"/api/v1/projects/{team.project_id}"

    changed = await team.people["owner"].patch(member, json={"role": "read_only"})
    assert changed.status_code == 200
    assert changed.json()["role"] == "read_only"
    assert (await team.people["member"].patch(project, json=rename)).status_code == 403
    await team.people["owner"].patch(member, json={"role": "owner"})
    assert (await team.people["member"].patch(project, json=rename)).status_code == 200


async def test_who_is_unknown_or_belongs_already_is_not_added(team: Team) -> None:
    assert (await team.add("nobody", "member")).status_code == 404
    assert (await team.add("MEMBER", "owner")).status_code == 409
    assert await team.roles() == {role: role for role in ROLES}


@pytest.mark.parametrize(
    ("method", "body"), [("PATCH", {"role": "member"}), ("DELETE", None), ("POST", {"role": "x"})]
)
async def test_who_does_not_belong_is_neither_changed_nor_removed(
    team: Team, method: str, body: Any
) -> None:
    path = team.path if method == "POST" else f"{team.path}/{team.ids['stranger']}"

    answer = await team.people["owner"].request(method, path, json=body)

    assert answer.status_code == (422 if method == "POST" else 404)


async def test_everybody_may_leave(team: Team) -> None:
    client = team.people["read_only"]

    answer = await client.delete(f"{team.path}/{team.ids['read_only']}")

    assert answer.status_code == 200
    assert (await client.get(team.path)).status_code == 404
    assert await team.roles() == {"owner": "owner", "member": "member"}


async def test_the_last_owner_neither_leaves_nor_steps_down(team: Team) -> None:
    owner, path = team.people["owner"], f"{team.path}/{team.ids['owner']}"

    assert (await owner.delete(path)).status_code == 409
    assert (await owner.patch(path, json={"role": "member"})).status_code == 409
    assert (await owner.patch(path, json={"role": "owner"})).status_code == 200
    assert await team.roles() == {role: role for role in ROLES}
    await owner.patch(f"{team.path}/{team.ids['member']}", json={"role": "owner"})
    assert (await owner.delete(path)).status_code == 200


async def test_of_owners_who_leave_or_step_down_at_once_one_stays(
    signed_in: SignedIn, office: Office
) -> None:
    names = ["ada", "grace", "mary"]
    people = [await signed_in(f"{name}@example.com") for name in names]
    ids = [(await person.get("/api/v1/accounts/me")).json()["id"] for person in people]
    for _ in range(5):
        project = (await people[0].post("/api/v1/projects/", json={"name": "web"})).json()["id"]
        path = f"/api/v1/projects/{project}/members"
        for name in names[1:]:
            body = {"email": f"{name}@example.com", "role": "owner"}
            await people[0].post(path, json=body)

        answers = await asyncio.gather(
            people[0].delete(f"{path}/{ids[0]}"),
            people[1].patch(f"{path}/{ids[1]}", json={"role": "read_only"}),
            people[2].delete(f"{path}/{ids[2]}"),
        )

        assert {answer.status_code for answer in answers} <= {200, 409}
        owners = [
            person.email
            for membership, person in await office.platform.members.list(project)
            if membership.role == "owner"
        ]
        assert owners
        refused = [
            f"{name}@example.com"
            for name, answer in zip(names, answers, strict=True)
            if answer.status_code == 409
        ]
        assert set(refused) <= set(owners)


async def test_who_is_removed_loses_the_vaults_share_and_the_owner_is_told_to_rotate(
    team: Team, office: Office
) -> None:
    shares = office.platform.platform.shares(team.project_id)
    for name in ("owner", "member"):
        holder = person_holder(team.ids[name])
        share = VaultShare(holder, team.project_id, "key", "sealed", "v", office.now, office.now)
        await shares.put(share)

    answer = await team.people["owner"].delete(f"{team.path}/{team.ids['member']}")

    assert answer.status_code == 200
    assert "rotate" in answer.json()["message"]
    left = await shares.page(skip=0, limit=10)
    assert [share.holder_id for share in left] == [person_holder(team.ids["owner"])]


async def test_somebody_whose_account_was_deleted_belongs_nowhere(
    team: Team, admin: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    await admin.delete(f"/api/v1/accounts/{team.ids['member']}")

    assert await team.roles() == {"owner": "owner", "read_only": "read_only"}
    namesake = await signed_in("member@example.com")
    assert (await namesake.get(team.path)).status_code == 404
