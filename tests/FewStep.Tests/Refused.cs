namespace FewStep.Tests;

/// <summary>Asserts that bad input ends in one line for the user.</summary>
internal static class Refused
{
    public static void With(string part, Action read)
    {
        var refused = Assert.Throws<InvalidInputException>(read);
        Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(refused.Message, char.IsControl);
        Assert.InRange(refused.Message.Length, 20, 600);
    }
}
