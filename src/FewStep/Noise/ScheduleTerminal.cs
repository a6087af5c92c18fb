namespace FewStep.Noise;

/// <summary>What happens at the last sigma of a sampling schedule.</summary>
public enum ScheduleTerminal
{
    /// <summary>The sample is the state at the last sigma; N steps cost a first-order solver N network evaluations.</summary>
    SigmaMin,

    /// <summary>The denoiser is applied once more at the last sigma, and its output is the sample (EDM's final step to sigma = 0).</summary>
    Zero,
}
