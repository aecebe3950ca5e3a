An editor keeps such files; they are not embedded.
