namespace FewStep.Deploy;

/// <summary>How a sampler is evaluated. None of it changes an image by more than rounding.</summary>
public sealed record FewStepSamplerOptions
{
    /// <summary>What evaluates it; default <see cref="ExecutionProvider.Cpu"/>. One that is not there is an error: nothing falls back to
    /// the processor in silence.</summary>
    public ExecutionProvider Provider { get; init; }

    /// <summary>Number of the GPU, 0 (default) or more; without meaning on the processor.</summary>
    public int Device { get; init; }

    /// <summary>Threads of one evaluation on the processor; 0 (default) for one a core.</summary>
    public int Threads { get; init; }

    /// <summary>Most images evaluated at once, 1 or more; default 64. Memory grows with it.</summary>
    public int BatchSize { get; init; } = 64;

    internal void Check()
    {
        if (!Enum.IsDefined(Provider))
            throw new ArgumentException($"There is no execution provider {Provider}.", nameof(Provider));
        ArgumentOutOfRangeException.ThrowIfNegative(Device);
        ArgumentOutOfRangeException.ThrowIfNegative(Threads);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
    }
}
