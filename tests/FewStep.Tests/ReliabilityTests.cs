using FewStep.Reliability;

namespace FewStep.Tests;

/// <summary>A short round of what <c>tests/FewStep.Reliability</c> does at length.</summary>
public sealed class ReliabilityTests
{
    [Fact]
    public void A_killed_verb_goes_on_to_the_same_bits() => Assert.Empty(KillCampaign.Run(moments: Launcher.OpenMpi is null ? 6 : 7));
}
