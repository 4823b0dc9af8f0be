"""Which content Google's adjustable filters shall stop."""

from service.schemas.extensions import Extended, SafetySetting
from service.translation.defaults import Defaults
from service.translation.extensions import places


def to_safety_settings(request: Extended, defaults: Defaults) -> list[SafetySetting] | None:
    """Return one setting for each category that anybody has set: Google refuses a second one.

    The client's word wins over the operator's, and of several the first place and the last setting.
    """
    said = places(request)
    if not (said or defaults.safety):
        return None
    settings = {setting.category: setting for setting in operators_settings(defaults) or []}
    for place in reversed(said):
        google = place.google
        for asked in (
            place.camel_safety,
            place.safety_settings,
            google and google.camel_safety,
            google and google.safety_settings,
        ):
            settings |= {setting.category: setting for setting in asked or []}
    return list(settings.values()) or None


def operators_settings(defaults: Defaults) -> list[SafetySetting] | None:
    """Return what counts where the client cannot say anything."""
    return [SafetySetting(category, value) for category, value in defaults.safety] or None
