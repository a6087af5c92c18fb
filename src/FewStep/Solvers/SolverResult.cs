using static TorchSharp.torch;

namespace FewStep.Solvers;

/// <summary>What a solver's step gives.</summary>
/// <param name="Next">x_(i+1), a new tensor of the state's type.</param>
/// <param name="Corrected">
/// A predictor-corrector's x_i, corrected with D(x_i; sigma_i) before <paramref name="Next"/> was predicted from it: it stands in the history in place of the
/// predicted x_i. Null for other solvers.
/// </param>
public readonly record struct SolverResult(Tensor Next, Tensor? Corrected = null);
