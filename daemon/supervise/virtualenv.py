"""stub"""
from asgid.config.spec import ApplicationSpec
from asgid.config import Diagnostic
def enter(spec: ApplicationSpec) -> list[Diagnostic]: return []
def entered(spec: ApplicationSpec) -> bool: return True
