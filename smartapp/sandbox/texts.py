"""The sentences of the sandbox's own pages, Dutch and English, kept apart from those of the app as the sandbox is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "nl": {
        "title": "Oefenomgeving",
        "made_up": "Deze mensen zijn verzonnen. Dit is een oefenomgeving: zet hier niets van echte mensen in.",
        "intro": "Dit is een klein, werkend dossier (EPD) met een portaal. Kies iemand. "
        "Je komt binnen zoals dat in het echt gaat: via het portaal als cliënt, of vanuit het dossier als behandelaar.",
        "years": "jaar",
        "as_client": "Open als {name}",
        "as_clinician": "Open het dossier als {name}",
        "in_frame": "Zoals in een dossier: in een kader",
        "others": "Open als iemand anders",
        "outside": "niet in het team",
        "chart": "Dossier van {name}",
        "framed": "Zo toont een dossier de app: in een kader op zijn eigen pagina.",
        "closed": "Verstel is gesloten. Je bent terug in het dossier.",
        "kind": "Dit dossier speelt:",
        "api": "FHIR-adres:",
        "sign_in": "Wie ben je?",
        "sign_in_text": "In deze oefenomgeving is er geen wachtwoord. Kies wie je bent.",
        "choose_patient": "Van wie is het dossier?",
        "problem": "Dat lukte niet",
        "no_role": "Zeg wie de app opent: role=clinician, role=client of role=loved-one.",
        "no_person": "Deze persoon is hier niet. Kies iemand op de pagina met mensen.",
        "no_app": "Deze app is hier niet aangemeld, of heeft geen launch_uri. Kijk bij verstel demo --client.",
        "no_context": "Zeg waarvoor de app opent als context=Task/<id>, of met het adres van een vragenlijst.",
        "nothing_here": "Op dit adres is niets. Ga naar de pagina met mensen.",
        "our_fault": "Er ging iets mis. Dat ligt aan ons. Probeer het opnieuw.",
        "back": "Naar de mensen",
        "other": "English",
        "other_code": "en",
    },
    "en": {
        "title": "Sandbox",
        "made_up": "These people are made up. This is a place to try things: put nothing of real people here.",
        "intro": "This is a small working record system (EHR) with a portal. Choose somebody. "
        "You come in as one really does: by the portal as the client, or from the chart as the clinician.",
        "years": "years old",
        "as_client": "Open as {name}",
        "as_clinician": "Open the chart as {name}",
        "in_frame": "As in a record system: in a frame",
        "others": "Open as somebody else",
        "outside": "not in the team",
        "chart": "Chart of {name}",
        "framed": "This is how a record system shows the app: in a frame on its own page.",
        "closed": "Verstel is closed. You are back in the chart.",
        "kind": "This record system plays:",
        "api": "FHIR address:",
        "sign_in": "Who are you?",
        "sign_in_text": "There are no passwords in this sandbox. Choose who you are.",
        "choose_patient": "Whose record is it?",
        "problem": "That did not work",
        "no_role": "Say who opens the app: role=clinician, role=client or role=loved-one.",
        "no_person": "This person is not here. Choose somebody on the page of people.",
        "no_app": "This app is not registered here, or has no launch_uri. See verstel demo --client.",
        "no_context": "Say what the app is opened for as context=Task/<id>, or by the address of a questionnaire.",
        "nothing_here": "There is nothing at this address. Go to the page of people.",
        "our_fault": "Something went wrong. That is our fault. Please try again.",
        "back": "To the people",
        "other": "Nederlands",
        "other_code": "nl",
    },
}
