"""What Google's credentials look like: detect-secrets knows none of them."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class GoogleCredentialDetector(RegexBasedDetector):
    """A plugin of detect-secrets."""

    secret_type = "Google credential"
    # Of full length: what stands in tests for one is shorter.
    denylist = (
        re.compile(r"AIza[\w-]{35}"),  # an API key
        re.compile(r"GOCSPX-[\w-]{28}"),  # the secret of an OAuth client
        re.compile(r"(?<![\w/])1//0[\w-]{40,}"),  # a refresh token
        re.compile(r"ya29\.[\w.-]{60,}"),  # an access token
    )
