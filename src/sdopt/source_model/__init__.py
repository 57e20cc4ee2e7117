"""The only room that knows PySD: reads model files, translates them, and replays runs as referee."""
