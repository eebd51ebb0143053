"""The doctor: what about a set of images makes its accuracy untrue, found before anything is trained."""
