"""The transparency log: what was decided and released, in an order that nobody can change unseen.

``merkle`` is RFC 6962 arithmetic, ``checkpoint`` the signed head, ``tiles`` the files, ``writing`` the
steps of an append, ``store`` the log itself, ``audit`` the full check, ``leaves`` what may be written.
A log on one's own disk under one's own key proves order and completeness only to somebody who kept an
earlier checkpoint.
"""
