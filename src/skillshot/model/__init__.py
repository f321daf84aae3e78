"""The networks that training fits and export loads: the skill CVAE, `skillshot`, ridge."""
