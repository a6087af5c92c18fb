namespace FewStep.Data;

/// <summary>Which part of a data set is meant.</summary>
internal enum DataSplit
{
    Train,

    Test,
}
