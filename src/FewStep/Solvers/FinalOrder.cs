namespace FewStep.Solvers;

/// <summary>Where the order of an exponential multistep solver has fallen to 1.</summary>
internal enum FinalOrder
{
    /// <summary>Nowhere: it stays.</summary>
    Full,

    /// <summary>At the last step.</summary>
    OneAtLastStep,

    /// <summary>At the denoise after the last step.</summary>
    OneAtDenoise,
}
