using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Sampling;

/// <summary>The class label that each image seed gets.</summary>
public static class SeedLabels
{
    /// <summary>Labels of a batch.</summary>
    /// <param name="seeds">Image seeds, 0 or more.</param>
    /// <param name="classes">Number of the model's classes; 0 for a model without.</param>
    /// <param name="label">One label for all: 0 to classes-1, or -1 for "no class"; null for seed mod classes, which gives every class as many images to within one over successive seeds.</param>
    /// <param name="device">Where to put them; null for the CPU.</param>
    /// <returns>int64 [B], which the caller owns; null for a model without classes.</returns>
    /// <exception cref="InvalidInputException">The label is none of the model's.</exception>
    public static Tensor? For(IReadOnlyList<long> seeds, int classes, long? label = null, Device? device = null)
    {
        CheckLabel(classes, label);
        if (classes == 0)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        return HostCopy.To(tensor([.. seeds.Select(seed => label ?? seed % classes)], int64), device ?? CPU).MoveToOuterDisposeScope();
    }

    /// <summary>Checks a label against the model.</summary>
    /// <param name="classes">Number of the model's classes; 0 for a model without.</param>
    /// <param name="label">The label; null is always right.</param>
    /// <exception cref="InvalidInputException">The label is none of the model's.</exception>
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
