"""GlusterVolume: where bricks lie, and what a volume needs to be as declared."""
