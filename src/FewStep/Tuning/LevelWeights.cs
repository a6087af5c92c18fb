namespace FewStep.Tuning;

/// <summary>Computes the weights of a <see cref="LevelWeighting"/>.</summary>
internal static class LevelWeights
{
    /// <param name="sigma">s_i, float64.</param>
    /// <returns>float32 of the shape of <paramref name="sigma"/>; belongs to the current dispose scope.</returns>
    public static Tensor For(LevelWeighting weighting, Tensor sigma, Tensor next, double last, IPreconditioning preconditioning)
    {
        var weights = weighting switch
        {
            LevelWeighting.NetworkOutput => preconditioning.Coefficients(sigma.view(-1)).Out.Squared().reciprocal().view(sigma.shape),
            LevelWeighting.StateError => (next / sigma).negative().Plus(1).Squared(),
            LevelWeighting.Uniform => ones_like(sigma),
            LevelWeighting.ConvexCombination => (next.reciprocal() - sigma.reciprocal()).Times(last),
            _ => throw new ArgumentOutOfRangeException(nameof(weighting), weighting, null),
        };
        return weights.to(ScalarType.Float32);
    }
}

/// <summary>How much the squared error of D at each sigma of the schedule counts in the loss of a tuning.</summary>
/// <remarks>
/// With few steps over a wide range of sigma the first three hardly differ, for then r is small and c_out near sigma_data at most levels.
/// They part where the schedule has many low sigmas: <see cref="StateError"/> all but ignores those, since pixels barely move there,
/// <see cref="NetworkOutput"/> trains every level alike.
/// </remarks>
public enum LevelWeighting
{
    /// <summary>
    /// 1 / c_out(s)^2, which is EDM's training weight: equal errors of the raw network count equally at every level. The default of the
    /// denoising loss, which is the training loss on fewer levels.
    /// </summary>
    NetworkOutput,

    /// <summary>
    /// (1 - r)^2 with r = s_(i+1) / s_i: the squared error of the state after the step, so the trajectory loss is the squared distance to
    /// the teacher's states, as the held-out metric is that to its endpoint. The default of the trajectory loss; it also bounds the target
    /// where two levels lie close together and D* divides by a small 1 - r.
    /// </summary>
    StateError,

    /// <summary>1: the squared error of D itself.</summary>
    Uniform,

    /// <summary>
    /// w_i = s_N (1/s_(i+1) - 1/s_i), the weight of D_i in the solution x_N = (s_N/s_0) x_0 + sum w_i D_i (our reading of 2412.10786).
    /// Nearly all of it lies on the last step. Undefined where the schedule's terminal rule is zero.
    /// </summary>
    ConvexCombination,
}
