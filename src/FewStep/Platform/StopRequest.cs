namespace FewStep.Platform;

/// <summary>The wish to end the whole program, for what is called from far away and cannot be passed a token: a model of somebody's that
/// may compute for ever.</summary>
internal static class StopRequest
{
    /// <summary>Cancelled when the program was asked to end; none where nobody asks.</summary>
    public static CancellationToken Token { get; set; }
}
