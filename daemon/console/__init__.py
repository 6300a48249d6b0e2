"""What answers over HTTP: health, metrics and the links of the messages; shows nothing personal."""
