"""A fleet refreshes once, whatever becomes of the instance that does it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from service.settings import Settings
from tests.fleet.instances import Fleet
from tests.fleet.load import at_once, slowest, timed
from tests.fleet.shared import documents, shared_token
from tests.simulators import oauth
from tests.simulators.calls import Call
from tests.simulators.gate import Gate
from tests.simulators.google import Google
from tests.simulators.wire import Hold, Pause, Reply


def usual(call: Call) -> Reply:
    """Take as long as Google's token endpoint does, so that everyone comes to want the lease."""
    return replace(oauth.token(call), before=(Pause(0.25),))


def test_twenty_instances_refresh_once_at_their_start_and_once_when_the_token_is_rejected(
    fleet: Fleet, google: Google, settings: Settings
) -> None:
    google.script(usual, usual, on="token")
    instances = fleet.start(20, settings)
    chats = [instance.chat for instance in instances]

    answers = at_once(chats)
    assert [answer.outcome.status_code for answer in answers] == [200] * 20
    assert len(google.calls("token")) == 1

    google.tokens.revoke_all()
    answers = at_once(chats)
    assert [answer.outcome.status_code for answer in answers] == [200] * 20
    assert len(google.calls("token")) == 2
    assert slowest(answers) < 3

    shared = shared_token(settings)
    assert shared is not None
    assert shared.token.value == google.tokens.current
    assert shared.refreshed_by in {instance.name for instance in instances}


def test_an_instance_that_dies_while_it_refreshes_is_replaced(
    fleet: Fleet, google: Google, settings: Settings
) -> None:
    gate = Gate()
    instances = {instance.name: instance for instance in fleet.start(3, settings)}
    at_once(instance.chat for instance in instances.values())
    assert len(google.calls("token")) == 1

    google.script(Reply(before=(Hold(gate),)), on="token")
    google.tokens.revoke_all()
    with ThreadPoolExecutor() as threads:
        chats = {name: threads.submit(timed, instance.chat) for name, instance in instances.items()}
        google.wait_for("token", 2)
        [document] = documents(settings)
        holder = document["lease_owner"]
        killed = timed(instances[holder].kill)
        assert chats.pop(holder).exception() is not None
        answers = [chat.result() for chat in chats.values()]
    gate.open()

    assert [answer.outcome.status_code for answer in answers] == [200, 200]
    assert max(answer.ended for answer in answers) - killed.began < 12
    assert len(google.calls("token")) == 3
    shared = shared_token(settings)
    assert shared is not None
    assert shared.refreshed_by in set(instances) - {holder}
