"""The commands of `vgglab`: what each says on the way, and how it ends."""
