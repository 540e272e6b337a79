"""The models that ganbench ships: one file a model, each entered like anybody's, and the rooms that some share."""
