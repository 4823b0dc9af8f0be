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
        await database.made()  # that takes longer than a call
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
            what = "The service's identity may not use Firestore."
            remedy = "Grant it roles/datastore.user, and enable the Firestore API."
        case exceptions.NotFound():
            what = f"There is no Firestore database {where}."
            remedy = (
                "Set FIRESTORE_DATABASE, or create it: "
                f"gcloud firestore databases create --database='{where}' --location=eur3"
            )
        case DefaultCredentialsError():
            what = "The service has no Google identity of its own."
            remedy = "Run it on Google Cloud, or: gcloud auth application-default login"
        case OSError() if "project" in str(error).lower():  # as Google's client says it
            what = "The project that Firestore is in is not known."
            remedy = "Set GOOGLE_CLOUD_PROJECT."
        case _:
            what = f"Firestore could not be used ({type(error).__name__})."
            remedy = "Try again, and look at the network and at https://status.cloud.google.com."
    return CredentialsError(
        f"{what} Requests are served all the same, but each instance refreshes for itself. "
        f"{remedy}",
        code="firestore_unavailable",
    )
