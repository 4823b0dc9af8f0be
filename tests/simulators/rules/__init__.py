"""What a well-formed request may still get wrong, one function for each rule.

A rule gives the message of Google's 400 if the request breaks it. The rules that
concern single fields (unknown names, wrong types, bad base64, unknown enum values)
are in `tests.simulators.shape`, those about callers and models in `…admission`.
"""

from collections.abc import Callable

from tests.simulators.rules import config, contents, tools, turns
from tests.simulators.rules.ask import Ask

Rule = Callable[[Ask], str | None]

_ABOUT_CONTENTS: tuple[Rule, ...] = (
    contents.there_are_some,
    contents.roles_are_known,
    contents.user_begins,
    contents.have_parts,
    contents.parts_have_one_datum,
    contents.media_types_are_supported,
    contents.media_is_small_enough,
)
_ABOUT_COUNTING: tuple[Rule, ...] = (
    *_ABOUT_CONTENTS,
    contents.counts_plain_text,
    contents.counts_for_a_full_model_name,
)
_ABOUT_GENERATING: tuple[Rule, ...] = (
    *_ABOUT_CONTENTS,
    contents.system_instruction_is_allowed,
    contents.responses_have_allowed_members,
    turns.calls_follow_the_user,
    turns.responses_match_calls,
    turns.calls_are_signed,
    turns.user_ends,
    tools.parameters_are_given_once,
    tools.function_names_are_good,
    tools.schemas_are_in_dialect,
    tools.json_schemas_are_good,
    tools.combination_is_supported,
    tools.choice_fits,
    config.response_schema_fits,
    config.thinking_is_possible,
    config.candidates_are_possible,
    config.penalties_are_possible,
    config.numbers_are_in_range,
    config.safety_categories_are_distinct,
    config.nothing_is_cached,
)


def first_broken(ask: Ask) -> str | None:
    rules = _ABOUT_COUNTING if ask.operation == "countTokens" else _ABOUT_GENERATING
    return next((message for rule in rules if (message := rule(ask)) is not None), None)
