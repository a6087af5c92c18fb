namespace FewStep.Solvers;

/// <summary>The rule for the option <c>thresholding</c> of solvers with data and noise prediction.</summary>
internal static class Thresholding
{
    /// <summary>On with data prediction unless it is turned off, as in the reference implementation; off with noise prediction.</summary>
    public static bool Resolve(string family, SolverPrediction prediction, bool? given) => prediction == SolverPrediction.Data
        ? given ?? true
        : given != true ? false : throw new InvalidInputException(
            $"Solver {family}: thresholding=true goes with predict=data only; leave one of them out.");
}
