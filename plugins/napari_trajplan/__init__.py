"""The napari plugin of trajplan. All algorithms stay in trajplan."""
