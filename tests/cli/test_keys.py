from operators import Operator


def test_a_key_is_made_told_once_listed_and_revoked(local: Operator) -> None:
    local.does("accounts", "create", "ada")
    made = local.does("keys", "create", "laptop", "--scope", "user", "--account", "ada")
    assert made["secret"].startswith("prepaid_")
    listed = local.does("keys", "list")
    assert listed == {"keys": [made["key"]]}
    assert made["secret"] not in str(listed)
    assert local.does("keys", "revoke", made["key"]["id"])["revoked"]
    (ended,) = local.does("keys", "list")["keys"]
    assert ended["revoked_at"] is not None
    assert local.runs("keys", "revoke", "01a209e2-d4b3-74be-9c4a-86c27b7d41bc").code == 1


def test_people_are_told_the_secret_once(local: Operator) -> None:
    said = local.runs("keys", "create", "ops", "--scope", "admin").out
    assert "The secret is told now and never again:\nprepaid_" in said
    assert "prepaid_" not in local.runs("keys", "list").out


def test_a_key_for_a_user_needs_an_account(local: Operator) -> None:
    refused = local.runs("keys", "create", "laptop", "--scope", "user")
    assert refused.err == "A key of scope user needs an account_uid, and no other has one.\n"
    assert refused.code == 1
