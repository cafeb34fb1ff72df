"""GUI environments: where on a screen is what somebody means. Screens are real pages, rendered here, with their truth."""
