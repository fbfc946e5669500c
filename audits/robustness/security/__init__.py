"""What somebody who means harm can do to marks, and whether the numbers a mark comes with are true."""
