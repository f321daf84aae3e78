"""Bundles with any content and a manifest that fits it: opening ends in a BundleError or in a Selector that answers.

    PYTHONPATH=tests python -m acceptance.mutations --random 500

A changed weight that breaks no promise of the format cannot be distinguished from the original without its digest: such
a bundle answers, with other demonstrations.
"""
