"""SMART App Launch 2.2: from `iss` to a launch with a person, a user and a token.

In the order of a sign-in: `discovery` (where is the authorization server), `authorization` (the address we send the
browser to, and the state that must come back), `tokens` (code for token, refresh, revocation), `identity` (who
signed in), `scopes` (what was granted). `routes` holds the addresses, `keys` our own signing keys.
"""
