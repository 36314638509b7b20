"""Drills of one question, on a user's own workflow: can I pause it, stop it, hand it over, and would I notice?"""
