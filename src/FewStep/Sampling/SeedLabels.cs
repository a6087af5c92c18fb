namespace FewStep.Sampling;

/// <summary>The class label that each image seed gets.</summary>
internal static class SeedLabels
{
    /// <returns>int64 [B], which the caller owns; null for a model without classes.</returns>
    public static Tensor? For(IReadOnlyList<long> seeds, int classes, long? label = null, Device? device = null)
    {
        CheckLabel(classes, label);
        if (classes == 0)
            return null;
        using var scope = NewDisposeScope();
        return HostCopy.To(tensor([.. seeds.Select(seed => label ?? seed % classes)], int64), device ?? CPU).MoveToOuterDisposeScope();
    }

    public static void CheckLabel(int classes, long? label)
    {
        if (label is < -1 || label >= Math.Max(classes, 0))
        {
            throw new InvalidInputException(classes == 0
                ? $"Label {label} was asked for, but the model has no classes; leave the label out."
                : $"Label {label} is none of the model's {classes} classes; labels are 0 to {classes - 1}, or -1 for no class.");
        }
    }
}
