namespace FewStep.Data;

/// <summary>Which part of a data set is meant.</summary>
public enum DataSplit
{
    /// <summary>Images to train on.</summary>
    Train,

    /// <summary>Images held out for evaluation.</summary>
    Test,
}
