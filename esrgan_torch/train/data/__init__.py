"""What training reads: pictures, crops, damage, a teacher's answers."""
