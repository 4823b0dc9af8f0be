"""Whether Firestore can be used, and what to do where it cannot.

Import this module in a worker thread: Google's libraries take over a second.
"""

import uuid

from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError

from service.credentials.firestore import Firestore, FirestoreDownError
from service.errors import CredentialsError
from service.settings import Settings


async def probe(settings: Settings) -> None:
    """Write a document, read it and delete it, where token state is shared.

    Raise `CredentialsError` if that fails.
    """
    database = Firestore(
        project=settings.google_cloud_project,
        database=settings.firestore_database,
        collection=settings.firestore_collection,
    )
    try:
        await database.prepare()
        async with database.client() as client:
            document = client.document(database.path(f"doctor-{uuid.uuid4().hex}"))
            await document.create({"written_by": "doctor"}, retry=None)
            await document.get(retry=None)
            await document.delete(retry=None)
    except FirestoreDownError as error:
        raise _failure(error.__cause__ or error, settings) from error
    except exceptions.GoogleAPICallError as error:
        raise _failure(error, settings) from error
    finally:
        await database.aclose()


def _failure(error: BaseException, settings: Settings) -> CredentialsError:
    where = settings.firestore_database
    match error:
        case exceptions.PermissionDenied():
            text = (
                "The service's identity may not use Firestore. "
                "Grant it roles/datastore.user, and enable the Firestore API."
            )
        case exceptions.NotFound():
            text = (
                f"There is no Firestore database {where}. Create it, or set FIRESTORE_DATABASE: "
                f"gcloud firestore databases create --database='{where}' --location=eur3"
            )
        case DefaultCredentialsError():
            text = (
                "The service has no Google identity of its own. Run it on Google Cloud, or log in "
                "with: gcloud auth application-default login"
            )
        case OSError() if "project" in str(error).lower():  # what Google's client raises
            text = "The project of Firestore is not known. Set GOOGLE_CLOUD_PROJECT."
        case exceptions.GoogleAPICallError():
            text = f"Firestore answered {type(error).__name__}."
        case _:
            text = f"Firestore could not be reached ({type(error).__name__})."
    return CredentialsError(
        f"{text} Requests are served all the same, but each instance refreshes for itself.",
        code="firestore_unavailable",
    )
