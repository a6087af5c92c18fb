namespace FewStep.ScheduleSearch;

/// <summary>Why the estimation of a loss curve stopped.</summary>
public enum LossCurveStop
{
    /// <summary>The discretization loss of every requested schedule is known to the requested relative precision.</summary>
    PrecisionReached,

    /// <summary>The largest number of images was used before the precision was reached.</summary>
    ImageLimitReached,

    /// <summary>Every image of the source was used before the precision was reached.</summary>
    ImagesExhausted,
}
