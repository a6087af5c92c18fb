namespace FewStep.Solvers;

/// <summary>The function B(h) of UniPC, of which any that is O(h) keeps the order (Zhao et al. 2023, section 3.1).</summary>
public enum UniPcVariant
{
    /// <summary>B(h) = h.</summary>
    Bh1,

    /// <summary>B(h) = e^h - 1: the paper's choice where few steps are guided.</summary>
    Bh2,
}
