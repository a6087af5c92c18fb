namespace FewStep.Noise;

/// <summary>Where a schedule comes from.</summary>
public enum ScheduleSource
{
    /// <summary>A fixed formula or table that knows nothing of the model: Karras, log-SNR, uniform t, cosine.</summary>
    Standard,

    /// <summary>Phase 1 on the model's loss curve.</summary>
    Phase1,

    /// <summary>Another published optimiser.</summary>
    OtherSearch,

    /// <summary>Chosen for, or together with, a tuned model.</summary>
    Alternation,

    /// <summary>Given by the user.</summary>
    Given,
}
